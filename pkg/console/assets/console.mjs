// Behaviour of the pages: live updates, keys, and buttons that send.
const token = document.querySelector('meta[name=token]').content
const page = document.body.dataset.page
const id = Number(document.body.dataset.id || 0)
document.body.classList.add('scripted')
const toast = document.querySelector('.toast')

function say(text) {
  toast.textContent = text
  toast.hidden = false
  clearTimeout(say.timer)
  say.timer = setTimeout(() => { toast.hidden = true }, 6000)
}

async function post(url, body) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Expressway-Token': token },
    body: JSON.stringify(body ?? {}),
  })
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.error)
  return answer
}

async function act(element, body) {
  const { post: url, goto: target, show } = element.dataset
  const dialog = element.closest('dialog')
  element.setAttribute('aria-busy', 'true')
  try {
    const answer = await post(url, body)
    sent = true
    dialog?.close()
    if (show) {
      const place = document.getElementById(show)
      place.textContent = JSON.stringify(answer, null, 2)
      place.hidden = false
    } else if (target && answer.id) location.assign(target + answer.id)
    else if (answer.path) say(`Saved as ${answer.path}: ${answer.command}`)
    else refresh()
  } catch (error) {
    if (dialog) dialog.querySelector('[role=alert]').textContent = error.message // a toast would be behind it
    else say(error.message)
  } finally {
    element.removeAttribute('aria-busy')
  }
}

document.addEventListener('click', async event => {
  const button = event.target.closest('button[data-post]')
  if (button) {
    act(button, {})
    return
  }
  const opener = event.target.closest('[data-dialog]')
  if (opener) {
    const dialog = document.getElementById(opener.dataset.dialog)
    dialog.querySelector('form').reset()
    dialog.querySelector('[role=alert]').textContent = ''
    dialog.showModal()
    return
  }
  if (event.target.closest('[data-close]')) { event.target.closest('dialog').close(); return }
  const copy = event.target.closest('[data-copy]')
  if (copy) {
    await navigator.clipboard.writeText(copy.dataset.copy || copy.previousElementSibling.textContent)
    say('Copied')
    return
  }
  const zooming = event.target.closest('[data-zoom]')
  if (zooming) { zoomBy(zooming.dataset.zoom); return }
  const state = event.target.closest('[data-state]')
  if (state) choose(state.dataset.state)
})

document.addEventListener('submit', event => {
  const form = event.target
  if (!form.dataset.post) return
  event.preventDefault()
  const body = {}
  for (const field of form.elements) {
    if (!field.name || (field.type === 'submit' && field !== event.submitter) || ('optional' in field.dataset && !field.value.trim())) continue
    body[field.name] = field.value
    if ('json' in field.dataset) {
      try { body[field.name] = JSON.parse(field.value) } catch (error) { say(error.message); field.focus(); return }
    }
  }
  act(form, body)
})

// The item of a Map is chosen without the button; the live part of the page shows it.
document.addEventListener('change', event => {
  const form = event.target.closest('form[data-item]')
  if (form) { history.pushState(null, '', '?' + new URLSearchParams(new FormData(form))); refresh() }
})

// A state of the graph is a link to what the execution did in it.
function choose(name) {
  const tested = document.querySelector('form[data-show] select')
  if (tested) { // of a state machine: the one to test
    tested.value = name
    tested.form.elements.input.focus()
    return
  }
  const url = new URL(location)
  url.searchParams.set('state', name)
  url.hash = 'state'
  history.pushState(null, '', url)
  refresh().then(() => { reveal(); document.getElementById('state')?.scrollIntoView({ block: 'nearest' }) })
}
addEventListener('popstate', () => refresh())

// A graph is as wide as its frame, but no smaller than is legible: a larger one is moved in
// its frame, by dragging, scrolling or the arrow keys. zoom is 0 until the user chooses it.
const smallest = 0.82
let zoom = 0
const frame = () => document.querySelector('.drawing')

function fit() {
  const svg = frame()?.querySelector('svg')
  if (!svg) return
  for (const kind of ['touchstart', 'touchmove']) frame().addEventListener(kind, pinch, { passive: false })
  const { width, height } = svg.viewBox.baseVal
  const room = { width: frame().clientWidth - 12, height: frame().clientHeight - 12 }
  fit.whole = Math.min(1, room.width / width, room.height / height)
  fit.scale = zoom || Math.min(1, Math.max(smallest, room.width / width))
  // If the graph is short, the states are beside it, and their details below both.
  if (!zoom) fit.short = height * fit.scale < 440
  document.querySelector('.walk')?.classList.toggle('short', fit.short)
  svg.setAttribute('width', width * fit.scale)
  svg.setAttribute('height', height * fit.scale)
  frame().classList.toggle('larger', frame().scrollWidth > frame().clientWidth || frame().scrollHeight > frame().clientHeight)
}

// The given point of the frame, or else its middle, stays in place.
function scaleTo(scale, at) {
  const place = frame()
  if (!place?.querySelector('svg')) return
  const was = fit.scale
  const here = place.getBoundingClientRect()
  const [x, y] = at ? [at.clientX - here.left, at.clientY - here.top] : [place.clientWidth / 2, place.clientHeight / 2]
  const [left, top] = [place.scrollLeft + x, place.scrollTop + y]
  zoom = Math.min(3, Math.max(0.05, scale))
  fit()
  place.scrollLeft = left * zoom / was - x
  place.scrollTop = top * zoom / was - y
}

function zoomBy(how) {
  fit()
  if (how === 'whole') scaleTo(fit.scale > fit.whole ? fit.whole : Math.min(1, fit.scale * 4))
  else scaleTo(fit.scale * (how === 'in' ? 1.25 : 0.8))
}

document.addEventListener('wheel', event => {
  if (!event.ctrlKey || !event.target.closest('.drawing')) return
  event.preventDefault()
  scaleTo(fit.scale * Math.exp(-event.deltaY / 300), event)
}, { passive: false })

// Two fingers zoom. These are touch events because a browser that scrolls by touch cancels
// the pointers of both fingers.
let apart = 0
function pinch(event) {
  if (event.touches.length !== 2) {
    apart = 0
    return
  }
  event.preventDefault()
  const [a, b] = event.touches
  const was = apart
  apart = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY)
  // The second finger may have begun outside of the frame, which then saw no beginning.
  if (event.type === 'touchmove' && was) scaleTo(fit.scale * apart / was, { clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 })
}

// Touch scrolls by itself; a mouse drags.
let drag
document.addEventListener('pointerdown', event => {
  const place = event.target.closest('.drawing')
  if (place && event.pointerType === 'mouse' && event.button === 0) drag = { place, x: event.clientX, y: event.clientY, left: place.scrollLeft, top: place.scrollTop }
})
document.addEventListener('pointermove', event => {
  if (!drag || Math.abs(event.clientX - drag.x) + Math.abs(event.clientY - drag.y) < 4 && !drag.moved) return
  drag.moved = true
  drag.place.classList.add('dragged')
  drag.place.scrollTo(drag.left + drag.x - event.clientX, drag.top + drag.y - event.clientY)
})
document.addEventListener('pointerup', () => {
  if (drag?.moved) addEventListener('click', event => event.stopPropagation(), { capture: true, once: true })
  drag?.place.classList.remove('dragged')
  drag = undefined
})
addEventListener('resize', fit)

// A graph that is larger than its frame shows the part that matters: the chosen state, or
// the one that failed or is running, or else the start.
function reveal() {
  const place = frame()
  const last = selector => [...place?.querySelectorAll(selector) ?? []].at(-1) // inner states follow their Map or Parallel
  const state = last('.chosen') ?? last('.node.failed') ?? last('.node.running') ?? place?.querySelector('.cap')
  if (!state) return
  const there = state.getBoundingClientRect()
  const here = place.getBoundingClientRect()
  if (there.bottom > here.bottom || there.top < here.top) place.scrollTop += there.top - here.top - (here.height - there.height) / 2
  if (there.right > here.right || there.left < here.left) place.scrollLeft += there.left - here.left - (here.width - there.width) / 2
}

function mark() {
  const name = new URL(location).searchParams.get('state')
  for (const node of document.querySelectorAll('.drawing [data-state]')) {
    node.classList.toggle('chosen', node.dataset.state === name)
  }
}

// The live part of a page is fetched again: only the server renders it. What it last
// rendered is kept, because opening a list or scaling a graph changes the document.
const rendered = new Map(['live', 'problems'].map(part => [part, document.getElementById(part)?.innerHTML]))
let waiting = false
let sent = false
let again = false
async function refresh() {
  if (waiting) { again = true; return }
  waiting = true
  try {
    const response = await fetch(location.href)
    const fresh = new DOMParser().parseFromString(await response.text(), 'text/html')
    for (const part of ['live', 'problems']) {
      const old = document.getElementById(part)
      const next = fresh.getElementById(part)
      if (!old || !next || rendered.get(part) === next.innerHTML) continue
      const writing = fields(old).some(f => f.value !== f.defaultValue && f.isConnected)
      if (writing && !sent) continue // the user is typing
      sent = false
      const scrolled = ['.drawing', '.timeline'].map(place => [place, old.querySelector(place)]).filter(([, was]) => was)
        .map(([place, was]) => [place, { top: was.scrollTop, left: was.scrollLeft }])
      const open = new Set(named(old).filter(([d]) => d.open).map(([, name]) => name))
      const focused = old.contains(document.activeElement) && placeOf(document.activeElement, old)
      rendered.set(part, next.innerHTML)
      old.replaceWith(next)
      fit()
      for (const [d, name] of named(next)) d.open = open.has(name)
      for (const [place, was] of scrolled) next.querySelector(place)?.scrollTo(was)
      if (focused) [...next.querySelectorAll(focused.like)][focused.at]?.focus({ preventScroll: true })
    }
    mark()
  } finally {
    waiting = false
    if (again) { again = false; setTimeout(refresh, 100) }
  }
}

// An element is found again by the delivery or the state that it shows, or by how many like it precede it.
function placeOf(element, part) {
  const { delivery, state } = element.dataset
  if (delivery) return { like: `[data-delivery="${CSS.escape(delivery)}"]`, at: 0 }
  if (state) return { like: `${element.localName}[data-state="${CSS.escape(state)}"]`, at: 0 }
  const like = element.matches('[data-row]') ? '[data-row]' : element.localName
  return { like, at: [...part.querySelectorAll(like)].indexOf(element) }
}

// A details element is identified by its summary, and by how many with the same summary precede it.
function named(part) {
  const seen = {}
  return [...part.querySelectorAll('details')].map(d => {
    const kind = d.firstElementChild.textContent.replace(/\d+/g, '')
    seen[kind] = (seen[kind] ?? 0) + 1
    return [d, kind + seen[kind]]
  })
}

function concerns(change) {
  if (change.kind === 'reload' || change.kind === 'lagging') return true
  switch (page) {
    case 'deliveries': return change.kind === 'delivery'
    case 'executions': return change.kind === 'execution'
    case 'delivery': return change.kind === 'delivery' && change.id === id
    case 'execution': return change.kind === 'execution' && change.id === id
  }
  return false
}

const live = document.querySelector('[data-live]')
const source = new EventSource('/_expressway/api/events')
source.onopen = () => {
  live.classList.add('on')
  live.textContent = 'live'
  refresh() // what happened between the page and the stream, or while it was down
}
source.onerror = () => { live.classList.remove('on'); live.textContent = 'not live' }
let timer
source.onmessage = event => {
  if (!concerns(JSON.parse(event.data)) || timer) return
  timer = setTimeout(() => { timer = undefined; refresh() }, 120)
}

function fields(part) { return [...part.querySelectorAll('textarea,input')] }

function rows() { return [...document.querySelectorAll('[data-row]')] }

document.addEventListener('keydown', event => {
  if (event.target.closest('dialog')) return // which has keys of its own
  if (event.target.closest('input,select,textarea')) {
    if (event.key === 'Escape') event.target.blur()
    return
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const state = event.target.closest('[data-state]')
  if (state && (event.key === 'Enter' || event.key === ' ')) {
    event.preventDefault()
    choose(state.dataset.state)
    return
  }
  if (event.target.closest('.drawing') && '+=-0'.includes(event.key)) {
    event.preventDefault()
    zoomBy({ '-': 'out', 0: 'whole' }[event.key] ?? 'in')
    return
  }
  const list = rows()
  const at = list.indexOf(document.activeElement)
  switch (event.key) {
    case 'j': list[Math.min(at + 1, list.length - 1)]?.focus(); break
    case 'k': list[Math.max(at - 1, 0)]?.focus(); break
    case '/': event.preventDefault(); document.querySelector('[data-search]')?.focus(); break
    case 'r': {
      const row = document.activeElement?.dataset?.delivery
      const button = document.querySelector('[data-replay]')
      if (row) post(`/_expressway/api/deliveries/${row}/replay`).then(() => say('Replayed'), error => say(error.message))
      else if (button) act(button, {})
      break
    }
    case 'Escape': history.back(); break
  }
})
mark()
fit()
reveal()
