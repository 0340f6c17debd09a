-- What the database needs before `ragfleet init`: the type of vectors. The compose file runs this once,
-- when PostgreSQL sets its files up; on a server of your own run it as a user who may:
--   psql -h HOST -U lightrag -d lightrag -f scripts/init_postgres.sql
-- Tables and indexes are made by `ragfleet init`.
CREATE EXTENSION IF NOT EXISTS vector;

SELECT extname, extversion FROM pg_extension WHERE extname = 'vector';
