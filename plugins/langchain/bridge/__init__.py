"""Between nodes of Tapline and objects of LangChain."""
