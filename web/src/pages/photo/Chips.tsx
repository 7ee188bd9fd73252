import { useState } from 'react'
import { asProblem, type Problem } from '../../core/problems'
import type { Chip } from '../../core/records'
import { useChosen } from '../../parts/choices'
import { ProblemNote } from '../../parts/ProblemNote'
import { useChipAddresses } from '../../platform/chips'
import { device } from '../../platform/device'
import { fill } from '../../texts'

/** Each face cut out, to be saved one by one or together; `name` is that of the picture. */
export function Chips({ chips, name }: { chips: Chip[]; name: string }) {
  const { texts } = useChosen()
  const addresses = useChipAddresses(chips)
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
            <img className="chip-picture" src={addresses[i]}
              alt={fill(texts.chipAlt, { number: i + 1 })} />
            <button className="button button-small" aria-label={fill(texts.saveLabel, { number: i + 1 })}
              onClick={() => void save(device.save(chip))}>
              {texts.save}
            </button>
          </div>
        ))}
      </div>
      <p className="quiet" role="status">{saved ? texts.saved : ''}</p>
      {problem && <ProblemNote problem={problem} />}
    </section>
  )
}
