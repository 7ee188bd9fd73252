import { useEffect } from 'react'

const hiders = new Set<() => void>()

/** Whether WeChat has got what was rendered: nothing new is found on the page before. */
export const rendered = { now: false }

export function nextTick(then: () => void): void {
  setTimeout(() => {
    rendered.now = true
    then()
    rendered.now = false
  })
}

/** Taro's hooks of a page that is shown from the beginning. */
export function useDidShow(then: () => void): void {
  useEffect(then, [])
}

export function useDidHide(then: () => void): void {
  useEffect(() => {
    hiders.add(then)
    return () => void hiders.delete(then)
  }, [then])
}

/** The person goes to another tab. */
export function hidePage(): void {
  hiders.forEach((hide) => hide())
}
