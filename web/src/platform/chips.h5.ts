import type { UseChipAddresses } from './contract'

export const useChipAddresses: UseChipAddresses = (chips) => chips.map(({ png }) => `data:image/png;base64,${png}`)
