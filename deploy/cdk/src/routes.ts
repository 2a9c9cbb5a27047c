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
  verify?: { secrets?: string[]; token?: unknown } | 'none';
  dedupe?: unknown;
  deadLetterQueue?: string;
  retry?: unknown;
  queue?: string;
}

/** Reads the routes of a folder with expressway.yaml. */
export function readRoutes(folder: string): Route[] {
  const file = path.join(folder, 'expressway.yaml');
  const document = parse(fs.readFileSync(file, 'utf8'));
  if (!document || !Array.isArray(document.routes)) {
    throw new Error(`${file} has no routes`);
  }
  return document.routes;
}

/** The name in a text that is exactly one ${NAME} or ${NAME:-default}. */
export function variable(text: string | undefined): string | undefined {
  return /^\$\{([A-Za-z_][A-Za-z0-9_]*)(:-[^}]*)?\}$/.exec(text ?? '')?.[1];
}

/** References to secrets of a route. */
export function secretReferences(route: Route): string[] {
  if (!route.verify || route.verify === 'none') {
    return [];
  }
  const token = typeof route.verify.token === 'string' ? [route.verify.token] : [];
  return [...(route.verify.secrets ?? []), ...token];
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

/** What an event pattern has for texts of a route, of which * is any text. */
export function matchers(texts: string | string[] | undefined): unknown[] | undefined {
  const list = texts === undefined ? [] : Array.isArray(texts) ? texts : [texts];
  if (list.length === 0 || list.includes('*')) {
    return undefined;
  }
  return list.map((text) => {
    if (!text.includes('*')) {
      return text;
    }
    return text.indexOf('*') === text.length - 1 ? { prefix: text.slice(0, -1) } : { wildcard: text };
  });
}
