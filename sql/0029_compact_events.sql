-- A batch of traffic reads all columns of a few threads from every part. Of a compact part that opens one file, of a
-- wide one two for each column; reading a few columns of all events takes about a third longer. A month of some ten
-- million events stays compact.
ALTER TABLE events MODIFY SETTING min_bytes_for_wide_part = 4294967296;
