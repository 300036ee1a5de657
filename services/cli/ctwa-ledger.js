#!/usr/bin/env -S node --max-semi-space-size=64
import { loadProgram } from '../program.js';

const { main } = await loadProgram('main', './cli/main.ts');
await main(process.argv);
