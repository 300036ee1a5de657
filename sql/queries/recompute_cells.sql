-- The summaries of the dirty cells with the given stamps, from a time on, from the current rows. Keys that stood in a cell and
-- stand in it no more are written as zeros: the last part brings them in.
INSERT INTO summary_cells
WITH cells AS (SELECT DISTINCT phone_number_id, cell_at FROM dirty_cells
    WHERE has(arrayMap(s -> toUInt64(s), {stamps:Array(String)}), stamp) AND dirty_cells.cell_at >= toDateTime({from:UInt32}, 'UTC'))
%cells%
