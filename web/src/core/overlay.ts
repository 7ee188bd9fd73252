import type { Box, Detections, Face, Point } from './records'

/** What to draw over an image. */
export interface OverlayOptions {
  boxes: boolean
  keypoints: boolean
  landmarks: boolean
  pose: boolean
  /** Flips left and right. */
  mirror: boolean
  /** Index of the face to highlight. */
  selected?: number
}

/** The 2D context that drawing needs; browsers and the mini-program have it. */
export type Pen = Pick<
  CanvasRenderingContext2D,
  | 'arc'
  | 'beginPath'
  | 'closePath'
  | 'fill'
  | 'fillRect'
  | 'fillStyle'
  | 'fillText'
  | 'font'
  | 'globalAlpha'
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

const GREEN = '#5eea8e'
const LEFT = '#ffb03b'
const RIGHT = '#40c4ff'
const MIDDLE = '#ff5278'
const WHITE = '#ffffff'
const SHADOW = 'rgba(8, 14, 20, 0.72)'

const KEYPOINT_COLORS = [LEFT, RIGHT, MIDDLE, LEFT, RIGHT]

/** Contours of the 68 landmarks: first point, one past the last, color, and whether the contour is closed. */
const CONTOURS: [from: number, to: number, color: string, closed: boolean][] = [
  [0, 17, GREEN, false],
  [17, 22, LEFT, false],
  [22, 27, RIGHT, false],
  [27, 31, MIDDLE, false],
  [31, 36, MIDDLE, false],
  [36, 42, LEFT, true],
  [42, 48, RIGHT, true],
  [48, 60, MIDDLE, true],
  [60, 68, MIDDLE, true],
]

/** Sides of a face on the canvas, in CSS pixels, from which on it gets an outline, a tag and landmark dots. */
const OUTLINE_SIDE = 24
const TAG_SIDE = 40
const DOTS_SIDE = 64

const TAG_HEIGHT = 20
const TAG_GAP = 4

/** Draws onto a canvas of `width` x `height` CSS pixels with `ratio` device pixels each; the best face is on top. */
export function draw(
  pen: Pen,
  width: number,
  height: number,
  ratio: number,
  detections: Detections,
  options: OverlayOptions,
): void {
  const faces = placeFaces(detections, width, height, options.mirror)
  const order = faces.map((_, i) => i).reverse().sort((i, j) => Number(i === options.selected) - Number(j === options.selected))
  pen.save()
  pen.scale(ratio, ratio)
  pen.lineJoin = 'round'
  pen.lineCap = 'round'
  for (const i of order) {
    pen.globalAlpha = options.selected === undefined || options.selected === i ? 1 : 0.4
    drawFace(pen, faces[i]!, options, i === options.selected)
  }
  for (const i of order) {
    pen.globalAlpha = options.selected === undefined || options.selected === i ? 1 : 0.4
    drawTag(pen, i, faces, options, width)
  }
  pen.restore()
}

/** A face in canvas pixels, with its number. */
interface PlacedFace {
  face: Face
  number: string
  box: Box
  side: number
  place(point: Point): Point
}

function placeFaces(detections: Detections, width: number, height: number, mirror: boolean): PlacedFace[] {
  const place = toCanvas(detections, width, height, mirror)
  const numbers = faceNumbers(detections.faces)
  return detections.faces.map((face, i) => {
    const box = placeBox(face.box, place)
    return { face, number: numbers[i] ?? '', box, side: box[2] - box[0], place }
  })
}

/** Returns the transform from image pixels to canvas pixels. */
export function toCanvas(detections: Detections, width: number, height: number, mirror: boolean): (point: Point) => Point {
  const [scaleX, scaleY] = [width / detections.width, height / detections.height]
  return ([x, y]) => [(mirror ? detections.width - x : x) * scaleX, y * scaleY]
}

/** Returns the number of each face, counted from 1, or of its track; empty if there is only one face. */
export function faceNumbers(faces: Face[]): string[] {
  return faces.map(({ track }, i) => (faces.length > 1 ? `${(track ?? i) + 1}` : ''))
}

/** Returns the index of the smallest face around a point, given in image pixels. */
export function faceAt(faces: Face[], [x, y]: Point): number | undefined {
  const area = (i: number) => (faces[i]!.box[2] - faces[i]!.box[0]) * (faces[i]!.box[3] - faces[i]!.box[1])
  const inside = faces.flatMap(({ box: [x0, y0, x1, y1] }, i) => (x0 <= x && x < x1 && y0 <= y && y < y1 ? [i] : []))
  return inside.sort((i, j) => area(i) - area(j))[0]
}

/** Rounds to whole degrees; never -0. */
export function degrees(angle: number): string {
  return `${Math.round(angle) || 0}°`
}

function drawFace(pen: Pen, { face, box, side, place }: PlacedFace, options: OverlayOptions, selected: boolean): void {
  if (options.boxes || selected) {
    drawBox(pen, box, selected)
  }
  if (options.landmarks && face.landmarks) {
    drawLandmarks(pen, face.landmarks.points.map(place), side)
  }
  if (options.keypoints && face.keypoints) {
    const radius = clamp(side / 32, 1, 5)
    face.keypoints.map(place).forEach((point, i) => drawDot(pen, point, radius, KEYPOINT_COLORS[i] ?? MIDDLE))
  }
}

/** Returns the text above a face: number and score with the box, angles with the pose. */
export function tagText(face: Face, number: string, options: OverlayOptions): string {
  const score = face.score.toFixed(2)
  const parts = options.boxes ? [number ? `${number} · ${score}` : score] : []
  const pose = options.pose ? face.landmarks?.pose : null
  if (pose) {
    parts.push(`↔ ${degrees(pose.yaw)} ↕ ${degrees(pose.pitch)} ⟳ ${degrees(pose.roll)}`)
  }
  return parts.join('  ')
}

function placeBox([x0, y0, x1, y1]: Box, place: (point: Point) => Point): Box {
  const [ax, ay] = place([x0, y0])
  const [bx, by] = place([x1, y1])
  return [Math.min(ax, bx), ay, Math.max(ax, bx), by]
}

function drawBox(pen: Pen, [x0, y0, x1, y1]: Box, selected: boolean): void {
  const outlined = x1 - x0 >= OUTLINE_SIDE || selected
  const line = clamp((x1 - x0) / 40, outlined ? 1.5 : 1, 3) + (selected ? 1 : 0)
  const outline = outlined ? [[SHADOW, line + 2] as const] : []
  for (const [color, width] of [...outline, [selected ? WHITE : GREEN, line] as const]) {
    pen.strokeStyle = color
    pen.lineWidth = width
    trace(pen, [[x0, y0], [x1, y0], [x1, y1], [x0, y1]], true)
  }
}

function drawLandmarks(pen: Pen, points: Point[], side: number): void {
  const contours = points.length === 68 ? CONTOURS : []
  pen.lineWidth = clamp(side / 160, 0.5, 2)
  for (const [from, to, color, closed] of contours) {
    pen.strokeStyle = color
    trace(pen, points.slice(from, to), closed)
  }
  if (contours.length > 0 && side < DOTS_SIDE) {
    return
  }
  const radius = clamp(side / 100, 0.8, 3)
  points.forEach((point, i) => {
    const contour = contours.find(([from, to]) => from <= i && i < to)
    drawDot(pen, point, radius, contour ? contour[2] : MIDDLE)
  })
}

function drawDot(pen: Pen, [x, y]: Point, radius: number, color: string): void {
  for (const [fill, size] of [[SHADOW, radius + 0.6], [color, radius]] as const) {
    pen.fillStyle = fill
    pen.beginPath()
    pen.arc(x, y, size, 0, 2 * Math.PI)
    pen.fill()
  }
}

/** Draws the tag of a face inside the image, clear of its neighbours; small faces have none unless selected. */
function drawTag(pen: Pen, index: number, faces: PlacedFace[], options: OverlayOptions, canvasWidth: number): void {
  const { face, number, box, side } = faces[index]!
  const selected = index === options.selected
  const text = tagText(face, number, selected ? { ...options, boxes: true } : options)
  if (!text || (side < TAG_SIDE && !selected)) {
    return
  }
  pen.font = '600 12px sans-serif'
  pen.textBaseline = 'middle'
  const others = faces.flatMap(({ box: other }, i) => (i === index ? [] : [other]))
  const candidates = (number ? [text, number] : [text]).map((label) => ({
    label,
    rect: tagRect(box, pen.measureText(label).width + 12, canvasWidth),
  }))
  const fits = ({ label, rect }: (typeof candidates)[number]) =>
    (label === number || rect[2] - rect[0] <= 1.3 * side) && !others.some((other) => intersects(rect, other))
  const { label, rect } = selected || !number ? candidates[0]! : candidates.find(fits) ?? insideBox(candidates[1]!, box)
  pen.fillStyle = SHADOW
  pen.fillRect(rect[0], rect[1], rect[2] - rect[0], TAG_HEIGHT)
  pen.fillStyle = WHITE
  pen.fillText(label, rect[0] + 6, rect[1] + TAG_HEIGHT / 2)
}

function tagRect([x0, y0]: Box, width: number, canvasWidth: number): Box {
  const left = Math.max(0, Math.min(x0, canvasWidth - width))
  const top = Math.max(0, y0 - TAG_HEIGHT - TAG_GAP)
  return [left, top, left + width, top + TAG_HEIGHT]
}

function insideBox({ label, rect }: { label: string; rect: Box }, [x0, y0]: Box): { label: string; rect: Box } {
  return { label, rect: [x0, y0, x0 + rect[2] - rect[0], y0 + TAG_HEIGHT] }
}

function intersects(a: Box, b: Box): boolean {
  return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

function trace(pen: Pen, points: Point[], closed: boolean): void {
  pen.beginPath()
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)))
  if (closed) {
    pen.closePath()
  }
  pen.stroke()
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value))
}
