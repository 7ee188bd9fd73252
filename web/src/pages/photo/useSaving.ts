import { useState } from 'react'
import { toProblem, type Problem } from '../../core/problems'

/** State of a save or copy action: `saved` if the page must confirm it, `problem` if it failed. */
export function useSaving() {
  const [problem, setProblem] = useState<Problem>()
  const [saved, setSaved] = useState(false)
  const save = async (action: () => Promise<boolean>) => {
    setProblem(undefined)
    try {
      setSaved(await action())
    } catch (error) {
      setProblem(toProblem(error))
    }
  }
  return { problem, saved, save }
}
