// Bundled into a page that reports well over the 64 KiB which Chromium lets be under way with keepalive, one error after another.
import * as Sentry from '@sentry/browser';

const errors = 40, pause = 100;

Sentry.init({ dsn: new URLSearchParams(location.search).get('dsn') });
for (let i = 0; i < errors; i++) {
  Sentry.captureMessage(`error ${i}`, { extra: { pad: 'x'.repeat(6000) } });
  await new Promise(next => setTimeout(next, pause));
}
