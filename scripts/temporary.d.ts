/** The folder for temporary files of a test run. */

/**
 * Makes a folder for this process and those that it starts, and names it in `TMPDIR`. It is in memory where there is
 * enough: tests make and remove many thousands of small files, and on a disk that is a quarter of their work.
 * @returns removes the folder
 */
export function useTemporaryFolder(): () => void;
