import { relative, sep } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

const TESTS = new URL('..', import.meta.url).pathname;

/**
 * Prints at the end how long each folder of tests took: the sum over its files, of which several run at once. Files that
 * take over a tenth of all are named, because they are what a run waits for.
 */
export default class SuiteTimes implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const times = modules.map((module) => {
      const { collectDuration, duration } = module.diagnostic();
      const file = relative(TESTS, module.moduleId).split(sep).join('/');
      return { file, folder: file.split('/')[0] ?? file, milliseconds: collectDuration + duration };
    });
    const all = sum(times);
    const folders = [...new Set(times.map(({ folder }) => folder))]
      .map((folder) => times.filter((time) => time.folder === folder))
      .sort((one, other) => sum(other) - sum(one));
    const lines = folders.map((files) => {
      const long = files.filter(({ milliseconds }) => milliseconds > all / 10 && folders.length > 1);
      const named = long.map(({ file, milliseconds }) => `${file} ${seconds(milliseconds)}`);
      return [`  test/${(files[0]?.folder ?? '').padEnd(16)}${seconds(sum(files))}, ${files.length} files`, ...named];
    });
    console.log(
      ['\nTime by folder, summed over files that run side by side:', ...lines.map((line) => line.join('; '))].join(
        '\n',
      ),
    );
  }
}

function sum(times: readonly { readonly milliseconds: number }[]): number {
  return times.reduce((total, { milliseconds }) => total + milliseconds, 0);
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1).padStart(7)} s`;
}
