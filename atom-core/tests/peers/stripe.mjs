// The Stripe of `emulate`. `node stripe.mjs [port]`
import { play } from './emulate.mjs';

// It has no accounts: here every key is of one of its own (https://docs.stripe.com/api/accounts/retrieve).
function account({ url, headers }) {
  const key = headers.authorization?.replace('Bearer sk_test_', '');
  return url === '/v1/account' ? { id: `acct_${key}`, object: 'account', country: 'GB', email: `${key}@example.com` } : undefined;
}

await play('stripe', {}, { mend: (request) => ({ ...request, answer: account(request) }) });
