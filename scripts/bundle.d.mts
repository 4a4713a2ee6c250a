export interface BundledFile {
  readonly fileName: string
  readonly code: string
  readonly modules: readonly string[]
}
export const WORKERS: readonly string[]
export const ENTRIES: readonly string[]
export function bundle(entries?: readonly string[], options?: { readonly meanings?: boolean }): Promise<BundledFile[]>
export function writeBundle(folder: string, files: readonly BundledFile[]): Promise<void>
export function withInner<T>(
  entries: readonly string[],
  use: (modules: Record<string, unknown>[]) => Promise<T>,
): Promise<T>
