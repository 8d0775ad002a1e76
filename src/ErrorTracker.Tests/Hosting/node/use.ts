// How a program in TypeScript uses what is generated: it is checked, never run.
import type { components, paths } from "./generated/paths";
import {
  adoptGrouping, getEventGrouping, getGroupingChange, getIssue, getLevelCounts, getLoss, listEvents, listIssueEvents,
  listIssues, listReleases, mergeIssues, previewGrouping, registerApplication, sendEvent, splitIssue,
} from "./generated/client";
import type { IssueItem, IssueState, Level } from "./generated/client";

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

export async function broken(app: number): Promise<IssueItem[]> {
  const path = { app_id: app };
  const releases = await listReleases({ path, query: { limit: 1 }, throwOnError: true });
  const since = releases.data.items[0]?.first_seen;
  const query = { state: "all", sort: "first_seen", since } as const;
  const page = await listIssues({ path, query, throwOnError: true });
  const cursor: string | null = page.data.next_cursor;
  const rest = cursor === null ? [] : (await listIssues({ path, query: { ...query, cursor } })).data?.items ?? [];
  return [...page.data.items, ...rest];
}

export async function merge(app: number, into: number, other: IssueItem): Promise<string | null> {
  const path = { app_id: app, number: into };
  await mergeIssues({ path: { app_id: app }, body: { into, issues: [other.number] }, throwOnError: true });
  const issue = await getIssue({ path, query: { interval: "DAY" }, throwOnError: true });
  const state: IssueState = issue.data.state;
  const events = await listIssueEvents({ path, query: { limit: 1 }, throwOnError: true });
  const id = events.data.items[0]!.id;
  const why = await getEventGrouping({ path: { app_id: app, id }, throwOnError: true });
  await splitIssue({ path, body: { keys: other.keys } });
  return state === "unresolved" ? why.data.template : issue.data.by_release[0]!.release;
}

export async function regroup(app: number, places: number): Promise<number> {
  const path = { app_id: app };
  const preview = await previewGrouping({ path, body: { rules: { places } }, throwOnError: true });
  const change = await getGroupingChange({ path: { ...path, id: preview.data.id }, throwOnError: true });
  if (change.data.state !== "done") return 0;
  await adoptGrouping({ path, body: { fingerprints: [{ match: { message: "*timeout*" }, parts: ["timeout"] }] } });
  return change.data.result?.merges[0]?.issue ?? 0;
}
