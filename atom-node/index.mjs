import atom from './index.js';

export const {
  Probe,
  Weight,
  isAtomError,
} = atom;
