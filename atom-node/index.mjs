import atom from './index.js';

export const {
  Accounts,
  Atom,
  AttendeeResponse,
  AuditAction,
  AuditProblem,
  AuditTrail,
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
