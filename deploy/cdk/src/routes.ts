import * as fs from 'fs';
import * as path from 'path';
import { parse } from 'yaml';

/** A route of expressway.yaml, as it is written. */
export interface Route {
  name: string;
  http?: string;
  sqs?: string;
  eventbridge?: { source?: string | string[]; 'detail-type'?: string | string[] };
  start?: string;
  mode?: string;
  verify?: Verify | 'none' | 'link';
  dedupe?: unknown;
  deadLetterQueue?: string;
  retry?: unknown;
  queue?: string;
  resume?: { fail?: unknown; heartbeat?: unknown; lookup?: { table?: string } };
  offload?: string | { to?: string; kmsKey?: string };
}

/** What a route says about its senders. */
export interface Verify {
  secrets?: string[];
  token?: unknown;
  keys?: unknown;
  handshake?: string | { store?: string };
}

/** What starts the functions: keys of a route. */
export type Source = 'http' | 'sqs' | 'eventbridge';

/** Reads the routes of a folder with expressway.yaml. */
export function readRoutes(folder: string): Route[] {
  const file = path.join(folder, 'expressway.yaml');
  const document = parse(fs.readFileSync(file, 'utf8'));
  if (!document || !Array.isArray(document.routes)) {
    throw new Error(`${file} has no routes`);
  }
  return document.routes;
}

/** Whether a route's deliveries are accepted into a queue, for the queue function to process. */
export function accepts(route: Route): boolean {
  return route.http !== undefined && route.queue !== undefined;
}

/** Keys of a route that accepts, which the queue function reads; name, queue and dedupe are read by both functions. */
const workKeys = ['start', 'mode', 'timeout', 'includedData', 'catch', 'concurrency', 'deadLetterQueue', 'retry'];
const sharedKeys = ['name', 'queue', 'dedupe'];

/** The routes of a function, each with the keys that this function reads. */
export function routesOf(routes: Route[], source: Source): Route[] {
  return routes.filter((r) => r[source] !== undefined || source === 'sqs' && accepts(r)).map((r) => {
    if (!accepts(r)) {
      return r;
    }
    const work = source === 'sqs';
    return Object.fromEntries(Object.entries(r).filter(([key]) => sharedKeys.includes(key) || workKeys.includes(key) === work)) as unknown as Route;
  });
}

/** The name in a text that is exactly one ${NAME} or ${NAME:-default}. */
export function variable(text: string | undefined): string | undefined {
  return /^\$\{([A-Za-z_][A-Za-z0-9_]*)(:-[^}]*)?\}$/.exec(text ?? '')?.[1];
}

/** Texts of a route that are not expressions. */
export function texts(value: unknown): string[] {
  if (typeof value === 'string') {
    return value.trimStart().startsWith('{%') ? [] : [value];
  }
  return value && typeof value === 'object' ? Object.values(value).flatMap(texts) : [];
}

/** References to secrets of a route. */
export function secretReferences(route: Route): string[] {
  if (!route.verify || typeof route.verify === 'string') {
    return [];
  }
  const { secrets, token, keys } = route.verify;
  const roots = keys && typeof keys === 'object' && 'roots' in keys ? keys.roots : keys;
  return [secrets, token, roots].flat().filter((v): v is string => typeof v === 'string');
}

/** The reference to the place where a secret that a sender hands over is stored. */
export function secretStore(route: Route): string | undefined {
  const handshake = route.verify && typeof route.verify === 'object' ? route.verify.handshake : undefined;
  return handshake && typeof handshake === 'object' ? handshake.store : undefined;
}

/** Whether a route remembers deliveries. */
export function dedupes(route: Route): boolean {
  return route.dedupe !== undefined && route.dedupe !== false;
}

/** Method and path of an http route, as API Gateway writes them. */
export function apiPath(route: Route): string {
  const pattern = (route.http ?? '').trim();
  const target = pattern.includes(' ') ? pattern.slice(pattern.indexOf(' ')).trim() : pattern;
  return target.slice(target.indexOf('/')).replace(/\.\.\.\}/g, '+}').replace(/\{\$\}/g, '');
}

/** The event pattern's form of a route's texts, in which * matches any text. */
export function matchers(list: string | string[] | undefined): unknown[] | undefined {
  const all = list === undefined ? [] : Array.isArray(list) ? list : [list];
  if (all.length === 0 || all.includes('*')) {
    return undefined;
  }
  return all.map((text) => {
    if (!text.includes('*')) {
      return text;
    }
    return text.indexOf('*') === text.length - 1 ? { prefix: text.slice(0, -1) } : { wildcard: text };
  });
}
