import { useCallback, useEffect, useState } from 'react'
import { useApp } from '../../components/AppContext'
import { ErrorMessage } from '../../components/ErrorMessage'
import { PageLayout } from '../../components/PageLayout'
import { toProblem, type Problem } from '../../core/problems'
import type { ModelCard } from '../../core/records'
import { models } from '../../core/service'
import { TEXTS, format } from '../../locales'

export default function ModelsPage() {
  const { texts, transport } = useApp()
  const [cards, setCards] = useState<ModelCard[]>()
  const [problem, setProblem] = useState<Problem>()

  const load = useCallback(async () => {
    setProblem(undefined)
    try {
      setCards(inPipelineOrder(await models(transport)))
    } catch (error) {
      setProblem(toProblem(error))
    }
  }, [transport])
  useEffect(() => void load(), [load])

  return (
    <PageLayout page="models" title={texts.modelsTitle} lead={texts.modelsLead}
      status={problem || cards ? '' : texts.loading}>
      {problem && <ErrorMessage problem={problem} onRetry={() => void load()} />}
      {!problem && !cards && <p className="quiet">{texts.loading}</p>}
      <div className="cards">{cards?.map((card) => <Card key={card.file} card={card} />)}</div>
    </PageLayout>
  )
}

function inPipelineOrder(cards: ModelCard[]): ModelCard[] {
  const tasks = Object.keys(TEXTS.en.tasks)
  const rank = ({ task }: ModelCard) => (tasks.includes(task) ? tasks.indexOf(task) : tasks.length)
  return [...cards].sort((a, b) => rank(a) - rank(b))
}

function Card({ card }: { card: ModelCard }) {
  const { texts } = useApp()
  const scores = Object.entries(card.scores).filter(([name]) => name !== 'quality') // the criterion of training
  const kilobytes = format(texts.kilobytes, { count: Math.round(card.bytes / 1024) })
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
