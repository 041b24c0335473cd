import atom from './index.js';

export const {
  Accounts,
  Atom,
  AttendeeResponse,
  Calendars,
  Connection,
  ConnectionState,
  Connections,
  Files,
  GoogleStandIn,
  Mailbox,
  Probe,
  Role,
  Schema,
  Scope,
  Weight,
  isAtomError,
} = atom;
