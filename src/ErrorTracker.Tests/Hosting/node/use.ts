// How a program in TypeScript uses what is generated: it is checked, never run.
import type { components, paths } from "./generated/paths";
import { getLevelCounts, listEvents, getLoss, registerApplication, sendEvent } from "./generated/client";
import type { Level } from "./generated/client";

type Message = components["schemas"]["EventItem"]["message"];
type EventsQuery = paths["/apps/{app_id}/events"]["get"]["parameters"]["query"];

export async function report(message: Message): Promise<string> {
  const registered = await registerApplication({ path: { app: "shop" }, throwOnError: true });
  const { id, ingest_key } = registered.data;
  const level: Level = "ERROR";
  const sent = await sendEvent({
    auth: ingest_key,
    path: { app_id: id },
    body: { occurred_at: new Date().toISOString(), level, message, stack: { type: "Error" }, order: 7 },
  });
  return sent.data?.id ?? sent.error!.title;
}

export async function read(app: number, query: EventsQuery): Promise<number> {
  const page = await listEvents({ auth: "read token", path: { app_id: app }, query, throwOnError: true });
  const offset: number | null = page.data.next_offset;
  const window = { since: "2026-01-01T00:00:00Z", until: "2026-02-01T00:00:00Z" };
  const counts = await getLevelCounts({ path: { app_id: app }, query: window, throwOnError: true });
  const loss = await getLoss({ path: { app_id: app }, query: window });
  const wrong = loss.error && "errors" in loss.error ? Object.keys(loss.error.errors ?? {}) : [];
  return counts.data.items.reduce((sum, item) => sum + item.count, offset ?? wrong.length);
}
