// What is known of the phones and the ride: a fold of the transcript, so that a
// page opened later knows as much.

export const people = [
  {id: 'customer', name: 'Carla', number: '+12025550147', role: 'customer',
   title: 'Carla, the customer', other: 'Dan'},
  {id: 'driver', name: 'Dan', number: '+12025550123', role: 'driver',
   title: 'Dan, the driver', other: 'Carla'},
  {id: 'unknown', name: 'Somebody', number: '+12025550166', role: null,
   title: 'An unknown phone', other: null},
];

const byNumber = new Map(people.map(person => [person.number, person]));

export function person(number) {
  return byNumber.get(number);
}

export function pretty(number) {
  const parts = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number || '');
  return parts ? `+1 ${parts[1]} ${parts[2]} ${parts[3]}` : number;
}

let worlds = 0;

// Nothing has happened yet. `number` tells one beginning from the next.
export function newWorld() {
  const phones = {};
  for (const {id} of people)
    phones[id] = {call: null, texts: []};
  return {entries: [], ride: null, phones, done: new Set(), hidden: new Set(),
          number: ++worlds};
}

// Takes one more entry into the world.
export function learn(world, entry) {
  world.entries.push(entry);
  const deed = deeds[entry.kind];
  const owner = person(entry.phone);
  if (deed)
    deed(world, entry, owner && world.phones[owner.id], owner);
}

export function live(call) {
  return Boolean(call) && call.state !== 'ended';
}

function begin(phone, entry, state) {
  if (phone && !live(phone.call))
    phone.call = {sid: entry.call, leg: entry.leg, number: entry.text, state,
                  incoming: state === 'incoming', heard: [], typed: '',
                  since: null, status: null, seconds: 0};
}

function ofLeg(phone, entry) {
  return phone && phone.call && phone.call.leg === entry.leg ? phone.call : null;
}

const deeds = {
  app(world, {path, request, status, answer}) {
    if (path === '/v1/sessions' && status === 201) {
      world.ride = {id: answer.id, reference: answer.reference, open: true,
                    parties: {}};
      for (const party of answer.parties)
        world.ride.parties[party.role] = party;
      world.done.add('book');
    } else if (path.endsWith('/close') && status === 200) {
      if (world.ride && world.ride.id === answer.id) {
        world.ride.open = false;
        world.done.add('end');
      }
    } else if (path.endsWith('/calls') && status === 202) {
      world.done.add('placed');
    }
  },

  dials(world, entry, phone) {
    begin(phone, entry, 'dialing');
    if (phone && phone.call)
      phone.call.late = Boolean(world.ride && !world.ride.open);
  },

  shows(world, entry, phone) {
    begin(phone, entry, 'incoming');
  },

  answers(world, entry, phone) {
    const call = ofLeg(phone, entry);
    if (call)
      call.state = 'answered';
  },

  hears(world, entry, phone, owner) {
    const call = ofLeg(phone, entry);
    if (!call)
      return;
    call.heard.push(entry.text);
    if (call.state === 'dialing')
      call.state = 'answered';
    if (call.late && owner.role)
      world.done.add('late');
  },

  presses(world, entry, phone) {
    const call = ofLeg(phone, entry);
    if (call)
      call.typed += entry.text;
  },

  connected(world, entry, phone, owner) {
    const other = person(entry.other);
    for (const each of [phone, other && world.phones[other.id]])
      if (each && each.call && each.call.sid === entry.call) {
        each.call.state = 'talking';
        each.call.since = Date.parse(entry.at);
      }
    if (owner && other && owner.id === 'customer' && other.id === 'driver')
      world.done.add('call');
    if (owner && other && owner.id === 'driver' && other.id === 'customer')
      world.done.add('back');
    if (world.hidden.has(entry.call) || owner && owner.id === 'unknown')
      world.done.add('code');
  },

  declines(world) {
    world.done.add('decline');
  },

  ended(world, entry, phone) {
    const call = ofLeg(phone, entry);
    if (!call)
      return;
    call.state = 'ended';
    call.status = entry.status;
    call.seconds = entry.duration;
  },

  text_sent(world, entry, phone) {
    if (phone)
      phone.texts.push({n: entry.n, mine: true, body: entry.text});
  },

  text_received(world, entry, phone, owner) {
    if (!phone)
      return;
    phone.texts.push({n: entry.n, mine: false, body: entry.text,
                      from: entry.sender, at: Date.parse(entry.at)});
    if (world.ride && world.ride.open && owner.role)
      world.done.add('text');
  },

  wire(world, {call, url, params}) {
    if (new URL(url).pathname === '/twilio/voice' && !person(params.From))
      world.hidden.add(call);
  },
};
