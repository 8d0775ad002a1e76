// Reports with @sentry/node as an application does. SENTRY_DSN says where to, the argument what.
import { createInterface } from 'node:readline';
import * as Sentry from '@sentry/node';

const reports = {
  // An exception that is handled, and all that a person may add to it.
  handled() {
    Sentry.setUser({ id: '42', email: 'ada@example.org' });
    Sentry.setTag('region', 'eu');
    Sentry.setExtra('cart', { items: 3, total: NaN });
    Sentry.addBreadcrumb({ category: 'cart', message: 'item added', level: 'info' });
    Sentry.withScope(scope => {
      scope.setFingerprint(['payment', 'declined']);
      Sentry.captureException(new Error('Payment declined', { cause: new TypeError('card is undefined') }));
    });
  },
  messages() {
    for (const level of ['debug', 'info', 'log', 'warning', 'error', 'fatal']) Sentry.captureMessage(`at ${level}`, level);
  },
  // More than the SDK's own queue takes at once: the next flush reports what it dropped.
  async burst() {
    for (let i = 0; i < 200; i++) Sentry.captureMessage(`burst ${i}`);
    await Sentry.flush(10_000);
  },
  // Large enough to be compressed.
  large() {
    Sentry.captureMessage('large', { extra: { pad: 'ä'.repeat(100_000) } });
  },
  unhandled() {
    setTimeout(() => { throw new RangeError('nobody caught this'); });
  },
  // Once a line says so, again: meanwhile the server may have gone, or come back.
  async lines() {
    for await (const line of createInterface({ input: process.stdin })) {
      Sentry.captureMessage(line);
      await Sentry.flush(5000);
      console.log(`sent ${line}`);
    }
  },
};

Sentry.init({
  dsn: process.env.SENTRY_DSN,
  release: 'shop@1.4.2',
  environment: 'test',
  serverName: 'till-7',
  tracesSampleRate: 1,
  maxBreadcrumbs: 20,
});
await reports[process.argv[2]]();
if (process.argv[2] !== 'unhandled') await Sentry.close(10_000);
