import { useCallback, useEffect, useState } from 'react'
import { asProblem, type Problem } from '../../core/problems'
import type { Card } from '../../core/records'
import { models } from '../../core/service'
import { useChosen } from '../../parts/choices'
import { ProblemNote } from '../../parts/ProblemNote'
import { Screen } from '../../parts/Screen'
import { TEXTS, fill } from '../../texts'

export default function Models() {
  const { texts, wire } = useChosen()
  const [cards, setCards] = useState<Card[]>()
  const [problem, setProblem] = useState<Problem>()

  const load = useCallback(async () => {
    setProblem(undefined)
    try {
      setCards(inOrder(await models(wire)))
    } catch (error) {
      setProblem(asProblem(error))
    }
  }, [wire])
  useEffect(() => void load(), [load])

  return (
    <Screen page="models" title={texts.modelsTitle} lead={texts.modelsLead} news={problem || cards ? '' : texts.loading}>
      {problem && <ProblemNote problem={problem} onRetry={() => void load()} />}
      {!problem && !cards && <p className="quiet">{texts.loading}</p>}
      <div className="cards">{cards?.map((card) => <ModelCard key={card.file} card={card} />)}</div>
    </Screen>
  )
}

/** As a picture passes through them. */
function inOrder(cards: Card[]): Card[] {
  const tasks = Object.keys(TEXTS.en.tasks)
  const place = ({ task }: Card) => (tasks.includes(task) ? tasks.indexOf(task) : tasks.length)
  return [...cards].sort((a, b) => place(a) - place(b))
}

function ModelCard({ card }: { card: Card }) {
  const { texts } = useChosen()
  const scores = Object.entries(card.scores).filter(([name]) => name !== 'quality') // made of the others, for training
  const kilobytes = fill(texts.kilobytes, { count: Math.round(card.bytes / 1024) })
  return (
    <section className="panel" data-card={card.file}>
      <h2 className="title">{card.name}</h2>
      <p className="text">{texts.tasks[card.task] ?? card.task}</p>
      <Fact name={texts.trainedOn}>{card.training_data}</Fact>
      <Fact name={texts.scores}>
        {scores.length === 0 && texts.noScores}
        {scores.map(([name, value]) => (
          <div key={name} className="score">
            <span className="score-name" lang="en">{name.replace(/_/g, ' ')}</span>
            <span className="number">{Number(value.toPrecision(4))}</span>
          </div>
        ))}
      </Fact>
      <Fact name={texts.license}>{card.license}</Fact>
      <div className="facts">
        <Fact name={texts.input}>{`${card.input.size} px`}</Fact>
        <Fact name={texts.parameters}>{card.parameters.toLocaleString('en')}</Fact>
        <Fact name={texts.file}>{`${card.file}, ${kilobytes}`}</Fact>
      </div>
    </section>
  )
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="fact">
      <div className="fact-name">{name}</div>
      <div className="fact-value">{children}</div>
    </div>
  )
}
