import type { Command } from 'commander';

/**
 * Adds a command with the options that all commands have.
 * @param parent by default the program itself
 */
export type AddCommand = (name: string, description: string, parent?: Command) => Command;
