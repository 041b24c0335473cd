// Prints the exports of the compiled module with their public members, as JSON.
const module_ = { exports: {} }
process.dlopen(module_, process.argv[1])
const own = (object) => Object.getOwnPropertyNames(object)
const members = (value) =>
  typeof value === 'function'
    ? [...own(value), ...own(value.prototype)].filter((name) => !FUNCTION.has(name))
    : own(value)
const FUNCTION = new Set(own(function () {}).concat('constructor'))
console.log(JSON.stringify(Object.fromEntries(Object.entries(module_.exports).map(([k, v]) => [k, members(v)]))))
