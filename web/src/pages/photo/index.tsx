import { useCallback, useEffect, useRef, useState } from 'react'
import { asProblem, type Problem } from '../../core/problems'
import type { Analysis } from '../../core/records'
import { analyze, type Picture } from '../../core/service'
import { useChosen } from '../../parts/choices'
import { ProblemNote } from '../../parts/ProblemNote'
import { Screen } from '../../parts/Screen'
import { Chooser } from '../../platform/Chooser'
import { countOf, type Texts } from '../../texts'
import { Result } from './Result'
import { Sending } from './Sending'

type State =
  | { step: 'empty' }
  | { step: 'sending'; picture: Picture; fraction: number }
  | { step: 'done'; picture: Picture; analysis: Analysis }
  | { step: 'failed'; picture?: Picture; problem: Problem }

export default function Photo() {
  const { texts, wire } = useChosen()
  const [state, setState] = useState<State>({ step: 'empty' })
  const stop = useRef(() => undefined as void) // ends what is on its way

  const send = useCallback(async (picture: Picture) => {
    stop.current()
    let wanted = true
    const show = (next: State) => wanted && setState(next)
    const progress = (fraction: number) => show({ step: 'sending', picture, fraction })
    const { answer, cancel } = analyze(wire, picture, progress)
    stop.current = () => {
      wanted = false
      cancel()
    }
    progress(0)
    try {
      show({ step: 'done', picture, analysis: await answer })
    } catch (error) {
      show({ step: 'failed', picture, problem: asProblem(error) })
    }
  }, [wire])
  const fail = useCallback((problem: Problem) => {
    stop.current()
    setState({ step: 'failed', problem })
  }, [])
  const cancel = () => {
    stop.current()
    setState({ step: 'empty' })
  }

  const picture = state.step === 'empty' ? undefined : state.picture
  useEffect(() => picture?.release, [picture])

  return (
    <Screen page="photo" title={texts.photoTitle} lead={texts.photoLead} news={newsOf(state, texts)}>
      {state.step === 'failed' && (
        <ProblemNote problem={state.problem} onRetry={picture && (() => void send(picture))} />
      )}
      <Chooser texts={texts} small={state.step === 'done' || state.step === 'sending'} onPicture={send}
        onProblem={fail} />
      {state.step === 'sending' && <Sending picture={state.picture} fraction={state.fraction} onCancel={cancel} />}
      {state.step === 'done' && <Result key={state.picture.url} picture={state.picture} analysis={state.analysis} />}
    </Screen>
  )
}

/** Problems speak for themselves: they are alerts. */
function newsOf(state: State, texts: Texts): string {
  if (state.step === 'sending') {
    return texts.looking
  }
  return state.step === 'done' ? countOf(state.analysis.faces.length, texts.noFaces, texts) : ''
}
