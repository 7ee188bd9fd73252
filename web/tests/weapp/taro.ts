import { useEffect } from 'react'

const hiders = new Set<() => void>()

/** Taro's hooks of a page that is shown from the beginning. */
export function useReady(then: () => void): void {
  useEffect(then, [])
}

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
