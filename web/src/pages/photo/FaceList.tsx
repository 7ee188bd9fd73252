import { useApp } from '../../components/AppContext'
import { degrees } from '../../core/overlay'
import type { Face } from '../../core/records'
import { format } from '../../locales'

interface Props {
  faces: Face[]
  selected: number | undefined
  onSelect(index: number | undefined): void
}

/** The faces as text, highest score first; a selected face is highlighted in the image. */
export function FaceList({ faces, selected, onSelect }: Props) {
  const { texts } = useApp()
  return (
    <>
      <p className="quiet">{texts.selectHint}</p>
      <ol className="faces" aria-label={texts.faces}>
        {faces.map((face, i) => (
          <li key={i} className="face">
            <button className={i === selected ? 'face-button face-selected' : 'face-button'} aria-pressed={i === selected}
              onClick={() => onSelect(i === selected ? undefined : i)}>
              <FaceText face={face} number={i + 1} />
            </button>
          </li>
        ))}
      </ol>
    </>
  )
}

function FaceText({ face, number }: { face: Face; number: number }) {
  const { texts } = useApp()
  const [x0, y0, x1, y1] = face.box
  const pose = face.landmarks?.pose
  const size = format(texts.size, { width: Math.round(x1 - x0), height: Math.round(y1 - y0) })
  return (
    <>
      <span className="face-name">{format(texts.face, { number })}</span>
      <span className="face-text number">{`${format(texts.score, { score: face.score.toFixed(3) })} · ${size}`}</span>
      {pose && (
        <span className="face-text number">
          {format(texts.angles, { yaw: degrees(pose.yaw), pitch: degrees(pose.pitch), roll: degrees(pose.roll) })}
        </span>
      )}
    </>
  )
}
