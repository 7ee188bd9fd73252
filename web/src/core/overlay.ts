import type { Box, Face, Found, Point } from './records'

/** What is drawn over a picture; `mirror` flips left and right, as a mirror does. */
export interface Shown {
  boxes: boolean
  points: boolean
  landmarks: boolean
  pose: boolean
  mirror: boolean
}

/** What drawing needs: a 2D context of the browser and one of the mini-program both have it. */
export type Pen = Pick<
  CanvasRenderingContext2D,
  | 'arc'
  | 'beginPath'
  | 'clearRect'
  | 'closePath'
  | 'fill'
  | 'fillRect'
  | 'fillStyle'
  | 'fillText'
  | 'font'
  | 'lineCap'
  | 'lineJoin'
  | 'lineTo'
  | 'lineWidth'
  | 'measureText'
  | 'moveTo'
  | 'restore'
  | 'save'
  | 'scale'
  | 'stroke'
  | 'strokeStyle'
  | 'textBaseline'
>

const BOX = '#5eea8e'
const LEFT = '#ffb03b'
const RIGHT = '#40c4ff'
const MIDDLE = '#ff5278'
const SHADOW = 'rgba(8, 14, 20, 0.72)'

const FIVE = [LEFT, RIGHT, MIDDLE, LEFT, RIGHT]

/** Of the 68 points: first, one past the last, colour, and whether the last is joined to the first. */
const PARTS: [from: number, to: number, colour: string, closed: boolean][] = [
  [0, 17, BOX, false],
  [17, 22, LEFT, false],
  [22, 27, RIGHT, false],
  [27, 31, MIDDLE, false],
  [31, 36, MIDDLE, false],
  [36, 42, LEFT, true],
  [42, 48, RIGHT, true],
  [48, 60, MIDDLE, true],
  [60, 68, MIDDLE, true],
]

/** Draws onto a canvas of `width` x `height` CSS pixels with `ratio` device pixels each; the best face lies on top. */
export function draw(pen: Pen, width: number, height: number, ratio: number, found: Found, shown: Shown): void {
  pen.save()
  pen.scale(ratio, ratio)
  pen.clearRect(0, 0, width, height)
  pen.lineJoin = 'round'
  pen.lineCap = 'round'
  const place = placing(found, width, height, shown.mirror)
  const names = namesOf(found.faces)
  for (const [i, face] of [...found.faces.entries()].reverse()) {
    drawFace(pen, face, names[i] ?? '', place, shown, width)
  }
  pen.restore()
}

/** From picture pixels to canvas pixels. */
export function placing(found: Found, width: number, height: number, mirror: boolean): (point: Point) => Point {
  const [right, down] = [width / found.width, height / found.height]
  return ([x, y]) => [(mirror ? found.width - x : x) * right, y * down]
}

/** Numbers from 1, where there are several faces: those of the list, or of the tracks. */
export function namesOf(faces: Face[]): string[] {
  return faces.map(({ track }, i) => (faces.length > 1 ? `${(track ?? i) + 1}` : ''))
}

/** Whole degrees; never -0. */
export function degrees(angle: number): string {
  return `${Math.round(angle) || 0}°`
}

function drawFace(
  pen: Pen,
  face: Face,
  name: string,
  place: (point: Point) => Point,
  shown: Shown,
  width: number,
): void {
  const box = placedBox(face.box, place)
  const side = box[2] - box[0]
  if (shown.boxes) {
    drawBox(pen, box, Math.max(1.5, Math.min(3, side / 40)))
  }
  if (shown.landmarks && face.landmarks) {
    drawLandmarks(pen, face.landmarks.points.map(place), side)
  }
  if (shown.points && face.points) {
    const radius = Math.max(1.5, Math.min(5, side / 32))
    face.points.map(place).forEach((point, i) => drawDot(pen, point, radius, FIVE[i] ?? MIDDLE))
  }
  const label = labelOf(face, name, shown)
  if (label) {
    drawLabel(pen, label, name, box, width)
  }
}

/** The line above a face: its number and score where boxes are shown, its angles where the pose is. */
export function labelOf(face: Face, name: string, shown: Shown): string {
  const score = face.score.toFixed(2)
  const words = shown.boxes ? [name ? `${name} · ${score}` : score] : []
  const pose = shown.pose ? face.landmarks?.pose : null
  if (pose) {
    words.push(`↔ ${degrees(pose.yaw)} ↕ ${degrees(pose.pitch)} ⟳ ${degrees(pose.roll)}`)
  }
  return words.join('  ')
}

function placedBox([x0, y0, x1, y1]: Box, place: (point: Point) => Point): Box {
  const [ax, ay] = place([x0, y0])
  const [bx, by] = place([x1, y1])
  return [Math.min(ax, bx), ay, Math.max(ax, bx), by]
}

function drawBox(pen: Pen, [x0, y0, x1, y1]: Box, line: number): void {
  for (const [colour, width] of [[SHADOW, line + 2], [BOX, line]] as const) {
    pen.strokeStyle = colour
    pen.lineWidth = width
    trace(pen, [[x0, y0], [x1, y0], [x1, y1], [x0, y1]], true)
  }
}

function drawLandmarks(pen: Pen, points: Point[], side: number): void {
  const parts = points.length === 68 ? PARTS : []
  pen.lineWidth = Math.max(0.75, side / 160)
  for (const [from, to, colour, closed] of parts) {
    pen.strokeStyle = colour
    trace(pen, points.slice(from, to), closed)
  }
  const radius = Math.max(0.8, Math.min(3, side / 100))
  points.forEach((point, i) => {
    const part = parts.find(([from, to]) => from <= i && i < to)
    drawDot(pen, point, radius, part ? part[2] : MIDDLE)
  })
}

function drawDot(pen: Pen, [x, y]: Point, radius: number, colour: string): void {
  for (const [fill, size] of [[SHADOW, radius + 0.6], [colour, radius]] as const) {
    pen.fillStyle = fill
    pen.beginPath()
    pen.arc(x, y, size, 0, 2 * Math.PI)
    pen.fill()
  }
}

/** Above the box and inside the picture; only the face's number where the label would cover its neighbours. */
function drawLabel(pen: Pen, label: string, name: string, [x0, y0, x1]: Box, within: number): void {
  pen.font = '600 12px sans-serif'
  pen.textBaseline = 'middle'
  const widthOf = (text: string) => pen.measureText(text).width + 12
  const text = name && widthOf(label) > 1.3 * (x1 - x0) ? name : label
  const left = Math.max(0, Math.min(x0, within - widthOf(text)))
  const top = Math.max(0, y0 - 24)
  pen.fillStyle = SHADOW
  pen.fillRect(left, top, widthOf(text), 20)
  pen.fillStyle = '#ffffff'
  pen.fillText(text, left + 6, top + 10)
}

function trace(pen: Pen, points: Point[], closed: boolean): void {
  pen.beginPath()
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)))
  if (closed) {
    pen.closePath()
  }
  pen.stroke()
}
