import { useEffect, useMemo } from 'react'
import type { Chip } from '../core/records'
import type { UseChipAddresses } from './contract'

let shownBefore = 0

/** Files, as WeChat passes at most a megabyte to a page at once; they go with the result that they belong to. */
export const useChipAddresses: UseChipAddresses = (chips) => {
  const addresses = useMemo(() => write(chips), [chips])
  useEffect(() => empty, [chips])
  return addresses
}

/** Each result has names of its own: WeChat remembers pictures by their paths. */
function write(chips: Chip[]): string[] {
  const files = wx.getFileSystemManager()
  empty() // of what a program that was ended left behind
  files.mkdirSync(folder(), true)
  shownBefore += 1
  return chips.map(({ png }, i) => {
    const path = `${folder()}/${shownBefore}_${i}.png`
    files.writeFileSync(path, png, 'base64')
    return path
  })
}

function empty(): void {
  try {
    wx.getFileSystemManager().rmdirSync(folder(), true)
  } catch {
    // there is none
  }
}

function folder(): string {
  return `${wx.env.USER_DATA_PATH}/chips`
}
