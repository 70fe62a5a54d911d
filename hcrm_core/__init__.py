"""HCRM (医院客户关系管理): a plugin-based hospital CRM framework."""

__version__ = "0.1.0"
