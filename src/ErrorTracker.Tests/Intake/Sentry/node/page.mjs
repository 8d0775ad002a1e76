// Bundled into the page that the browser test opens. Its address says which DSN.
import * as Sentry from '@sentry/browser';

Sentry.init({ dsn: new URLSearchParams(location.search).get('dsn'), release: 'shop@1.4.2' });
Sentry.setTag('page', 'checkout');
Sentry.captureException(new Error('handled in the page'));
setTimeout(() => { throw new TypeError('not handled in the page'); });
setTimeout(() => Sentry.flush(5000).then(() => document.title = 'done'), 100);
