'use strict';

const { existsSync } = require('node:fs');
const { join } = require('node:path');

/** The name that builds for this machine carry: `linux-x64-gnu`. */
function target() {
  const { platform, arch } = process;
  if (platform === 'linux') return `linux-${arch}-${usesGlibc() ? 'gnu' : 'musl'}`;
  if (platform === 'win32') return `win32-${arch}-msvc`;
  return `${platform}-${arch}`;
}

function usesGlibc() {
  // The report looks up the names of all network peers unless told not to, which can take seconds.
  const { excludeNetwork } = process.report;
  process.report.excludeNetwork = true;
  try {
    return Boolean(process.report.getReport().header.glibcVersionRuntime);
  } finally {
    process.report.excludeNetwork = excludeNetwork;
  }
}

/** Loads the native module that lies in `folder`. */
function load(folder) {
  const file = join(folder, `atom.${target()}.node`);
  if (!existsSync(file)) {
    throw new Error(`atom-node has no native module for ${target()}: there is no ${file}. Install a version that has it, or build it`);
  }
  try {
    return require(file);
  } catch (cause) {
    throw new Error(`atom-node cannot load its native module ${file}: ${cause.message}`, { cause });
  }
}

module.exports = { load };
