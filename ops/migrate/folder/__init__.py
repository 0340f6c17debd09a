"""A folder of LightRAG's file storages (`rag_storage`), read without holding it in memory."""
