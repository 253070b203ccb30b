// The API's words as sentences. A test holds each list against the API's
// description: no word without a sentence, no sentence without a word.

// Why a call was connected or refused, a text passed on or not.
export const REASONS = {
  connected: 'The caller is a party of the session.',
  connected_by_code: 'The caller typed the code of a party.',
  connected_by_intent: 'The app had announced a caller with a hidden number.',
  relayed: 'The sender is a party of the session.',
  from_app: 'The app, or an operator, wrote it.',
  number_unknown: 'The number dialled is not a masked number in use.',
  caller_withheld: 'The caller hides their number.',
  caller_unknown: 'The caller has no session on the number dialled.',
  attestation_failed: 'The carrier doubts that the call comes from that number.',
  session_closed: 'The session is closed.',
  session_expired: 'The session has expired.',
  party_replaced: 'Somebody else has taken the place of this party.',
  party_disputed: 'At one of the phones somebody said to be another person.',
  voice_off: 'The session does not let this party call.',
  text_off: 'The session does not let this party text.',
  session_limit: 'The session has had as many calls as it may have.',
  person_limit: 'This person has called, or texted, too often within a minute.',
  service_limit: 'The service has used up its minutes for today.',
  country_limit: 'The other phone is in a country that may not be called.',
};

// What would be done with a call.
export const ACTIONS = {
  connect: 'It would be connected.',
  forward: 'It would be put through to the support line.',
  ask_code: 'The caller would be asked for their code.',
  refuse: 'It would be refused.',
};

// Of each status: its word, and the kind of its badge.
export const SESSION_STATUS = {
  open: ['open', 'good'],
  lingering: ['lingering', 'warn'],
  closed: ['closed', 'calm'],
  expired: ['expired', 'calm'],
};

export const CALL_STATUS = {
  'queued': ['waits to be placed', 'warn'],
  'initiated': ['dialling', 'warn'],
  'ringing': ['ringing', 'warn'],
  'in-progress': ['talking', 'good'],
  'completed': ['completed', 'calm'],
  'busy': ['busy', 'warn'],
  'failed': ['failed', 'bad'],
  'no-answer': ['not answered', 'warn'],
  'canceled': ['cancelled', 'calm'],
};

export const MESSAGE_STATUS = {
  waiting: ['waits to be sent', 'warn'],
  queued: ['queued', 'warn'],
  sending: ['being sent', 'warn'],
  sent: ['sent', 'calm'],
  delivered: ['delivered', 'good'],
  undelivered: ['not delivered', 'bad'],
  failed: ['failed', 'bad'],
  refused: ['refused', 'bad'],
};

export const RECORDING_STATUS = {
  'in-progress': ['recording', 'warn'],
  'completed': ['recorded', 'calm'],
  'absent': ['no sound', 'warn'],
  'failed': ['failed', 'bad'],
  'deleting': ['being deleted', 'warn'],
  'deleted': ['deleted', 'calm'],
};

// What happened; to the parties' calls and texts the time line says more.
export const EVENTS = {
  'session.opened': 'Session opened',
  'session.updated': 'Session changed',
  'session.closed': 'Session closed',
  'session.expired': 'Session expired',
  'session.expiring': 'Session about to expire',
  'call.started': 'Call started',
  'call.ringing': 'Phone rings',
  'call.answered': 'Call answered',
  'call.ended': 'Call ended',
  'call.refused': 'Call refused',
  'party.disputed': 'Who answered says to be somebody else',
  'pool.low': 'Few masked numbers are free',
  'pool.exhausted': 'No masked number was free',
  'message.relayed': 'Text passed on',
  'message.refused': 'Text refused',
  'message.delivered': 'Text delivered',
  'message.failed': 'Text failed',
  'recording.completed': 'Recording ready',
  'recording.failed': 'Recording failed',
  'recording.deleted': 'Recording deleted',
  'delivery.exhausted': 'Given up after many tries',
  'webhook.test': 'Test of the webhook',
};

// How the delivery of an event to the app stands.
export const DELIVERY_STATE = {
  waiting: ['waits', 'warn'],
  parked: ['given up', 'bad'],
  done: ['delivered', 'good'],
};

// A word that has no sentence here stands for itself.
export const reason = word => REASONS[word] || word;
