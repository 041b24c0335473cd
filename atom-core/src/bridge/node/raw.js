// What every constructor of a record with a `raw` begins with: the vendor's record stays text until somebody looks at it.
const text = Symbol('text');
const kept = { value: undefined, writable: true };
const settle = (record, value) => {
  // On a frozen record it cannot be set, and is read anew at each look.
  if (!Reflect.defineProperty(record, 'raw', { value, writable: true, enumerable: true, configurable: true })) return;
  if (Object.hasOwn(record, text)) record[text] = undefined;
};
const unread = {
  get() {
    // By a property instead of a private name, so that it is found through a proxy of the record too.
    const value = JSON.parse(this[text]);
    settle(this, value);
    return value;
  },
  set(value) {
    settle(this, value);
  },
  enumerable: true,
  configurable: true,
};
const keep = (record, raw) => {
  Object.defineProperty(record, text, kept);
  record[text] = raw;
  Object.defineProperty(record, 'raw', unread);
};
