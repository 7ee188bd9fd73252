import { useState } from 'react'
import { asProblem, type Problem } from '../../core/problems'
import type { Chip } from '../../core/records'
import { useChosen } from '../../parts/choices'
import { ProblemNote } from '../../parts/ProblemNote'
import { device } from '../../platform/device'
import { fill } from '../../texts'

/** Each face cut out, to be saved one by one. */
export function Chips({ chips }: { chips: Chip[] }) {
  const { texts } = useChosen()
  const [problem, setProblem] = useState<Problem>()
  const [saved, setSaved] = useState(false)
  const save = async (chip: Chip) => {
    setProblem(undefined)
    try {
      setSaved(await device.save(chip.file, chip.png))
    } catch (error) {
      setProblem(asProblem(error))
    }
  }
  return (
    <section className="panel result-wide">
      <h2 className="title">{texts.chips}</h2>
      <p className="quiet">{texts.chipsLead}</p>
      <div className="chips">
        {chips.map((chip, i) => (
          <div key={chip.file} className="chip">
            <img className="chip-picture" src={`data:image/png;base64,${chip.png}`}
              alt={fill(texts.chipAlt, { number: i + 1 })} />
            <button className="button button-small" aria-label={fill(texts.saveLabel, { number: i + 1 })}
              onClick={() => void save(chip)}>
              {texts.save}
            </button>
          </div>
        ))}
      </div>
      {saved && <p className="quiet" role="status">{texts.saved}</p>}
      {problem && <ProblemNote problem={problem} />}
    </section>
  )
}
