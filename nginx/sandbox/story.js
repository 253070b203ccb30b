// The guided story: its steps, what is to be done now, and which button does it.

import {live} from './world.js';

export const steps = [
  ['book', 'Book a ride'],
  ['call', 'Call the driver'],
  ['back', 'Call back'],
  ['text', 'Text'],
  ['end', 'End the trip'],
  ['late', 'Call once more'],
];

export const extras = [
  ['code', 'Hide the number (or switch on the unknown phone), dial on the ' +
           'keypad and type the code from the app'],
  ['decline', 'Decline a call, and read what the caller hears'],
  ['placed', 'Tap “Call me first”: the app has both phones called'],
];

// What to do now: words, and the button that glows as phone:button.
export function next(world) {
  const {done, phones, ride} = world;
  const step = (steps.find(([id]) => !done.has(id)) || [])[0];
  for (const [id, name] of [['customer', 'Carla'], ['driver', 'Dan']]) {
    const {call} = phones[id];
    if (live(call) && call.state === 'incoming')
      return [`${name}’s phone rings, and shows the masked number. Answer it, ` +
              'decline, or let it ring.', `${id}:answer`];
  }
  const talking = ['customer', 'driver'].find(
    id => live(phones[id].call) && phones[id].call.state === 'talking');
  if (talking)
    return ['They talk, and neither saw the other’s number. Hang up when you ' +
            'like.', `${talking}:hangup`];
  const busy = ['customer', 'driver', 'unknown'].find(
    id => live(phones[id].call));
  if (busy)
    return ['A call is under way: read on that phone what its owner hears.', ''];
  switch (step) {
  case 'book':
    return ['Carla needs a taxi. Tap “Book a ride” on her phone.',
            'customer:book'];
  case 'call':
    return ['Both got one masked number. Tap “Call Dan” on Carla’s phone, or ' +
            'dial the number on her keypad.',
            'customer:call'];
  case 'back':
    return ['Now Dan calls the very same number, and reaches Carla.',
            'driver:call'];
  case 'text':
    return ['Texts go the same way. Send one from either phone.',
            phones.customer.texts.length ? '' : 'customer:text'];
  case 'end':
    return ['Carla has arrived. Tap “End the trip” on Dan’s phone.',
            'driver:end'];
  case 'late':
    return ['The number still stands in Carla’s phone. Call it, and read what ' +
            'she hears.', 'customer:call'];
  }
  return ['That is callmask: the right person or nobody. There is more to try:',
          ride && ride.open ? '' : 'customer:book'];
}
