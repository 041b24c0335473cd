'use strict';

const { withHandlers } = require('./handlers.js');

/** Whether an argument can send mail: an object or an instance of a class with a function `send`. */
const isSender = (value) => typeof value === 'object' && value !== null && typeof value.send === 'function';

/** Such an argument as the native module wants it. */
const withSender = (sender) => ({ send: withHandlers((mail) => sender.send(mail)) });

module.exports = { isSender, withSender };
