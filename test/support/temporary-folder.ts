import { useTemporaryFolder } from '../../scripts/temporary.js';

/** Before the first test; what it returns runs after the last one. */
export default function setup(): () => void {
  return useTemporaryFolder();
}
