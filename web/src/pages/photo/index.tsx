import { useCallback, useEffect, useRef, useState } from 'react'
import { asProblem, type Problem } from '../../core/problems'
import type { Analysis } from '../../core/records'
import { analyze, type Picture } from '../../core/service'
import { useChosen } from '../../parts/choices'
import { ProblemNote } from '../../parts/ProblemNote'
import { Screen } from '../../parts/Screen'
import { Chooser } from '../../platform/Chooser'
import { Result } from './Result'
import { Sending } from './Sending'

type State =
  | { step: 'empty' }
  | { step: 'sending'; picture: Picture; fraction: number }
  | { step: 'done'; picture: Picture; analysis: Analysis }
  | { step: 'failed'; picture?: Picture | undefined; problem: Problem }

export default function Photo() {
  const { texts, wire } = useChosen()
  const [state, setState] = useState<State>({ step: 'empty' })
  const turn = useRef(0) // an answer that comes when another picture was chosen is not wanted any more

  const send = useCallback(async (picture: Picture) => {
    const mine = (turn.current += 1)
    const show = (next: State) => mine === turn.current && setState(next)
    show({ step: 'sending', picture, fraction: 0 })
    try {
      const progress = (fraction: number) => show({ step: 'sending', picture, fraction })
      show({ step: 'done', picture, analysis: await analyze(wire, picture, progress) })
    } catch (error) {
      show({ step: 'failed', picture, problem: asProblem(error) })
    }
  }, [wire])
  const fail = useCallback((problem: Problem) => setState({ step: 'failed', problem }), [])

  const { step } = state
  const again = step === 'failed' ? state.picture : undefined
  useEffect(() => {
    if (again && step === 'failed' && state.problem.code === 'unauthorized') {
      void send(again)
    }
  }, [wire])

  return (
    <Screen page="photo" title={texts.photoTitle} lead={texts.photoLead}>
      {step === 'failed' && <ProblemNote problem={state.problem} onRetry={again && (() => void send(again))} />}
      <Chooser texts={texts} small={step === 'done' || step === 'sending'} busy={step === 'sending'}
        onPicture={send} onProblem={fail} />
      {step === 'sending' && <Sending picture={state.picture} fraction={state.fraction} />}
      {step === 'done' && <Result key={state.picture.url} picture={state.picture} analysis={state.analysis} />}
    </Screen>
  )
}
