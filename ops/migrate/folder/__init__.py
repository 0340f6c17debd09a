"""A folder of LightRAG's file storages (`rag_storage`), read and written without holding it."""
