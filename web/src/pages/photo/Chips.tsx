import { useState } from 'react'
import { asProblem, type Problem } from '../../core/problems'
import type { Chip } from '../../core/records'
import { useChosen } from '../../parts/choices'
import { ProblemNote } from '../../parts/ProblemNote'
import { device } from '../../platform/device'
import { fill } from '../../texts'

/** Each face cut out, to be saved one by one or together; `name` is that of the picture. */
export function Chips({ chips, name }: { chips: Chip[]; name: string }) {
  const { texts } = useChosen()
  const [problem, setProblem] = useState<Problem>()
  const [saved, setSaved] = useState(false)
  const save = async (saving: Promise<boolean>) => {
    setProblem(undefined)
    try {
      setSaved(await saving)
    } catch (error) {
      setProblem(asProblem(error))
    }
  }
  return (
    <section className="panel result-wide">
      <div className="panel-head">
        <h2 className="title">{texts.chips}</h2>
        {chips.length > 1 && (
          <button className="button button-small" onClick={() => void save(device.saveAll(chips, name))}>
            {texts.saveAll}
          </button>
        )}
      </div>
      <p className="quiet">{texts.chipsLead}</p>
      <div className="chips">
        {chips.map((chip, i) => (
          <div key={chip.file} className="chip">
            <img className="chip-picture" src={`data:image/png;base64,${chip.png}`}
              alt={fill(texts.chipAlt, { number: i + 1 })} />
            <button className="button button-small" aria-label={fill(texts.saveLabel, { number: i + 1 })}
              onClick={() => void save(device.save(chip))}>
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
