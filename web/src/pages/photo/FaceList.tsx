import { degrees } from '../../core/overlay'
import type { Face } from '../../core/records'
import { useChosen } from '../../parts/choices'
import { fill } from '../../texts'

/** The faces in words, best first: what the drawing shows, for those who do not see it. */
export function FaceList({ faces }: { faces: Face[] }) {
  const { texts } = useChosen()
  return (
    <ol className="faces" aria-label={texts.faces} tabIndex={0}>
      {faces.map((face, i) => {
        const [x0, y0, x1, y1] = face.box
        const pose = face.landmarks?.pose
        return (
          <li key={i} className="face">
            <div className="face-name">{fill(texts.face, { number: i + 1 })}</div>
            <div className="quiet number">
              {[
                fill(texts.score, { score: face.score.toFixed(3) }),
                fill(texts.size, { width: Math.round(x1 - x0), height: Math.round(y1 - y0) }),
              ].join(' · ')}
            </div>
            {pose && (
              <div className="quiet number">
                {fill(texts.angles, { yaw: degrees(pose.yaw), pitch: degrees(pose.pitch), roll: degrees(pose.roll) })}
              </div>
            )}
          </li>
        )
      })}
    </ol>
  )
}
