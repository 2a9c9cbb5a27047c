// Answers requests, one JSON text a line, with what the reference implementation says.
//
//	{"version": "2.2.2", "expr": "a + 1", "input": {"a": 1}, "vars": {}}
//	→ {"value": "2"}, {} when the result is undefined, or {"code": "T2001", "position": 3, "token": "+"}
//
// With "seconds" it measures instead: {"nanos": 1234.5} is the time of one evaluation
// of the compiled expression.
import { createInterface } from 'node:readline'
import newest from 'jsonata'
import old from 'jsonata-2.0.6'

const engines = { '2.2.2': newest, '2.0.6': old }

// Values that JSON cannot represent are marked, so that the other side sees them.
function mark(key, v) {
  if (typeof v === 'function' || (v && typeof v === 'object' && (v._jsonata_lambda || v._jsonata_function))) return '\u0001function'
  if (typeof v === 'number' && !Number.isFinite(v)) return '\u0001number'
  if (v && typeof v === 'object' && Object.getPrototypeOf(v) === null) return { ...v }
  return v
}

async function answer(r) {
  try {
    const expr = engines[r.version](r.expr, { timeout: r.timeout ?? 0 })
    if (r.seconds) return { nanos: await measure(expr, r) }
    const v = await expr.evaluate(r.input, r.vars)
    return v === undefined ? {} : { value: JSON.stringify(v, mark) }
  } catch (e) {
    if (!e.code || e instanceof Error && !/^[STDU]\d{4}$/.test(e.code)) return { crash: String(e.message ?? e) }
    return { code: e.code, position: e.position ?? -1, token: typeof e.token === 'string' ? e.token : '', message: e.message ?? '' }
  }
}

// measure times rounds of evaluations and returns the time of one in the best round.
async function measure(expr, r) {
  const vars = r.vars ?? {}
  let n = 1
  for (;;) {
    const t = process.hrtime.bigint()
    for (let i = 0; i < n; i++) await expr.evaluate(r.input, vars)
    const took = Number(process.hrtime.bigint() - t)
    if (took > 5e6) break
    n *= 2
  }
  let best = Infinity
  const end = process.hrtime.bigint() + BigInt(Math.round(r.seconds * 1e9))
  while (process.hrtime.bigint() < end || best === Infinity) {
    const t = process.hrtime.bigint()
    for (let i = 0; i < n; i++) await expr.evaluate(r.input, vars)
    best = Math.min(best, Number(process.hrtime.bigint() - t) / n)
  }
  return best
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(await answer(JSON.parse(line))) + '\n')
}
