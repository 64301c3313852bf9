import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder on a disk of its own with so much room; null where this user may not make one. */
export function mountDisk(size: string): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'nyro-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', folder], { stdio: 'ignore' })
    return folder
  } catch {
    rmSync(folder, { recursive: true })
    return null
  }
}

/** More room, as when somebody cleans up. */
export function enlargeDisk(disk: string, size: string): void {
  execFileSync('mount', ['-o', `remount,size=${size}`, disk])
}

export function unmountDisk(disk: string): void {
  execFileSync('umount', ['-l', disk])
  rmSync(disk, { recursive: true })
}
