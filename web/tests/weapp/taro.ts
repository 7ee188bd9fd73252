import { useEffect } from 'react'

const hiders = new Set<() => void>()

/** Whether WeChat has rendered the page: new nodes cannot be queried before. */
export const rendered = { now: false }

export function nextTick(then: () => void): void {
  setTimeout(() => {
    rendered.now = true
    then()
    rendered.now = false
  })
}

/** Taro's hooks of a page that is visible from the start. */
export function useDidShow(then: () => void): void {
  useEffect(then, [])
}

export function useDidHide(then: () => void): void {
  useEffect(() => {
    hiders.add(then)
    return () => void hiders.delete(then)
  }, [then])
}

/** The user switches to another tab. */
export function hidePage(): void {
  hiders.forEach((hide) => hide())
}
