-- Objects with lines that became nothing: only these are read again for suspense.
-- Grain: object_no.
select object_no
from mediated.kept_lines
where line_count > record_count + duplicate_count + conflict_count
