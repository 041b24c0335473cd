// Compiled, never run: what must be accepted and what must be refused by the declarations.
import { Atom, isAtomError, JobError, Probe, Weight, type AtomErrorCode, type NewAccount, type OpenOptions, type OperationHook, type RunningJob, type Sample, type Shape } from '../index.js'

export async function values(sample: Sample): Promise<void> {
  const probe: Probe = await Probe.start()
  const started: boolean = probe.isStarted
  const same: Sample = await probe.echo({ ...sample, weight: Weight.VeryHeavy })
  const { note, ...required } = same
  await probe.echo(required)
  const text: string | null = await probe.echoOptional()
  const bytes: Buffer = same.content
  const moment: Date = same.at
  const nothing: void = await probe.nothing()
  const account: NewAccount = { email: 'ada@example.com', password: 'an engine of brass', displayName: null }
  void [started, note, text, bytes, moment, nothing, account]

  // @ts-expect-error what the library returns leaves an absent field out
  const mayBeNull: Sample = { ...sample, note: null }
  void mayBeNull
  // @ts-expect-error not one of the weights
  await probe.echo({ ...sample, weight: 'medium' })
  // @ts-expect-error handles come from static methods
  new Probe()
  // @ts-expect-error properties are not written
  probe.isStarted = false
}

export function area(shape: Shape): number {
  switch (shape.type) {
    case 'circle':
      return Math.PI * shape.radius ** 2
    case 'plane':
      return shape.label === undefined ? 0 : Infinity
  }
}

export async function errors(probe: Probe): Promise<AtomErrorCode | undefined> {
  try {
    await probe.fail('rate_limited')
    return undefined
  } catch (error) {
    if (!isAtomError(error)) throw error
    const wait: number | undefined = error.retryAfter
    void wait
    return error.code
  }
}

export async function handlers(probe: Probe): Promise<void> {
  const send = async (job: RunningJob): Promise<{ to: string }> => {
    const user: string | null = job.userId
    const signal: AbortSignal = job.signal
    await fetch('https://example.com', { signal })
    if (user === null) throw new JobError('no_user', 'nobody to write to', { retryable: false, retryAfter: 3 })
    return { to: user }
  }
  const outcomes = await probe.run({ send, log: (job) => job.kind, nothing: () => undefined }, { kind: 'send', input: {}, jobs: 1 })
  const seconds: number | undefined = outcomes[0]?.retryAfter
  void seconds
  // @ts-expect-error a handler takes a job
  await probe.run({ send: (count: number) => count }, { kind: 'send', input: {}, jobs: 1 })
  // @ts-expect-error a handler is a function
  await probe.run({ send: 'send' }, { kind: 'send', input: {}, jobs: 1 })
}

export async function streams(probe: Probe): Promise<number> {
  let sum = 0
  for await (const number of await probe.countTo(3)) sum += number
  return sum
}

export async function hooks(options: OpenOptions): Promise<void> {
  const albums: OperationHook = async (connection, { album }) => {
    const answer = await connection.request({ method: 'GET', url: `https://api.example.com/albums/${album}` })
    return { found: answer.json }
  }
  const atom: Atom = await Atom.openWithHooks(options, { albums, none: () => undefined })
  void atom
  // @ts-expect-error a hook is a function
  await Atom.openWithHooks(options, { albums: 5 })
}
