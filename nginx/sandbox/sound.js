// Ringing, and the sentences that callers hear, aloud.

let context = null, bell = null;

export function speak(text) {
  if (window.speechSynthesis && !text.startsWith('[')) {
    const words = new SpeechSynthesisUtterance(text);
    words.lang = 'en';
    window.speechSynthesis.speak(words);
  }
}

// Rings while `on`: two tones, one second in three.
export function ring(on) {
  if (!on) {
    clearInterval(bell);
    bell = null;
    return;
  }
  if (bell)
    return;
  context = context || new AudioContext();
  const stroke = () => {
    const volume = context.createGain();
    volume.gain.value = 0.05;
    volume.connect(context.destination);
    for (const hertz of [440, 480]) {
      const tone = context.createOscillator();
      tone.frequency.value = hertz;
      tone.connect(volume);
      tone.start();
      tone.stop(context.currentTime + 1);
    }
  };
  stroke();
  bell = setInterval(stroke, 3000);
}

export function hush() {
  ring(false);
  if (window.speechSynthesis)
    window.speechSynthesis.cancel();
}
