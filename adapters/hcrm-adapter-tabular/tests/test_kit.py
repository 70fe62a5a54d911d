"""The conformance kit on tables: what hospitals keep in spreadsheets and offer as views."""

import csv
import io
import sqlite3

from hcrm_adapter_tabular import rows
from hcrm_adapter_tabular.adapter import TabularAdapter
from hcrm_core.api import HttpRequest, Rows, SqlQuery
from hcrm_core.testing import adapter_kit

PATIENTS = """\
患者ID,病案号,姓名,性别,出生日期,身份证号,手机号,家庭住址,更新时间
1001,B1001,王芳芳,女,1990-03-07,110101199003076543,13812345678,解放路12号,2026-03-10 10:30:00
1002,B1002,张伟,男,1980/2/14,,,,2026-03-10 10:31:00
"""
ENCOUNTERS = """\
就诊流水号,患者ID,就诊类型,入院时间,出院时间,出院科室,科室编码,主治医生,医生工号,出院诊断,出院诊断编码,病区,床号,更新时间
V1,1001,住院,2026-03-01 09:00,2026-03-09 15:00,心内科,K01,李建国,D07,高血压,I10,W3,12,2026-03-10 10:30:00
V2,1002,门诊,2026-03-10 08:10,,骨科,K02,赵敏,D08,,,,,2026-03-10 10:31:00
"""
OTHERS = {
    "预约.csv": (
        "预约号,患者ID,预约状态,预约时间,时长,科室名称,医生姓名\nA1,1001,已预约,2026-03-20 09:00,30,心内科,李建国\n"
    ),
    "诊断.csv": "就诊流水号,患者ID,诊断编码,诊断名称,诊断类型,诊断时间\nV1,1001,E11,2型糖尿病,出院诊断,2026-03-09\n",
    "检验结果.csv": (
        "报告单号,就诊流水号,患者ID,项目编码,项目名称,结果,单位,参考范围,异常标志,报告时间\n"
        "R1,V1,1001,WBC,白细胞,12.5,10*9/L,4.0-10.0,↑,2026-03-02 08:00\n"
        "R1,V1,1001,CMT,备注,标本溶血,,,,2026-03-02 08:00\n"
    ),
    "手术.csv": (
        "就诊流水号,患者ID,手术编码,手术名称,手术时间,手术医生\nV1,1001,36.06,支架置入术,2026-03-03 10:00,李建国\n"
    ),
    "费用明细.csv": (
        "费用流水号,就诊流水号,患者ID,收费项目编码,收费项目名称,数量,金额,收费时间,科室名称,收退标志\n"
        'F1,V1,1001,C1,床位费,8,"¥1,200.00",2026-03-09 15:10,心内科,收费\n'
    ),
    "医保.csv": "患者ID,医保类别编码,医保类别,保单号,参保日期\n1001,01,城镇职工,YB1001,2020-01-01\n",
    "过敏史.csv": "患者ID,过敏源编码,过敏源,过敏反应,严重程度\n1001,PEN,青霉素,皮疹、发热,重\n",
    "处方.csv": (
        "处方号,就诊流水号,患者ID,药品编码,药品名称,处方时间,发药数量,用药天数\nP1,V1,1001,Y1,氨氯地平,2026-03-09,28,28\n"
    ),
    "发药.csv": (
        "发药单号,处方号,患者ID,药品编码,药品名称,发药时间,发药数量\nX1,P1,1001,Y1,氨氯地平,2026-03-09 16:00,28\n"
    ),
    "联系人.csv": "患者ID,联系人姓名,与患者关系,联系人电话\n1001,王大明,父亲,13987654321\n",
    "科室.csv": "科室编码,科室名称,上级科室编码,是否启用\nK01,心内科,K00,是\nK02,骨科,K00,是\nK00,内科系统,,是\n",
    "医生.csv": "工号,姓名,职称,科室编码,在职\nD07,李建国,主任医师,K01,是\n",
    "价格.csv": "收费项目编码,收费项目名称,单价,生效日期\nC1,床位费,150.00,2026-01-01\n",
}

HEADINGS = [text.partition("\n")[0] for text in (PATIENTS, ENCOUNTERS, *OTHERS.values())]


def row(table: str, **cells: rows.Cell) -> bytes:
    return rows.payload(rows.Row(table=table, cells=cells))


def his(question: HttpRequest | SqlQuery) -> list[Rows]:
    """A database of a HIS whose views hold the patients and the visits, a row a piece."""
    assert isinstance(question, SqlQuery)
    with sqlite3.connect(":memory:") as database:
        for name, table in (("V_PATIENT", PATIENTS), ("V_VISIT", ENCOUNTERS)):
            headings, *lines = csv.reader(io.StringIO(table))
            database.execute(f"CREATE TABLE {name} ({', '.join(headings)})")
            database.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(headings))})", lines)
        cursor = database.execute(question.statement, question.parameters)
        columns = tuple(column[0] for column in cursor.description)
        found = [tuple(line) for line in cursor]
        return [Rows(columns=columns, rows=(row,), last=row == found[-1]) for row in found]


TestTabular = adapter_kit(
    TabularAdapter,
    samples={
        "患者_20260310.csv": PATIENTS.encode(),
        "就诊记录.csv": ENCOUNTERS.encode(),
        **{name.replace(".csv", "_20260310.csv"): text.encode() for name, text in OTHERS.items()},
    },
    settings={
        "timezone": "Asia/Shanghai",
        "url": "sqlite:///his.db",
        "views": {
            "patients": {"view": "V_PATIENT", "watermark": "更新时间", "key": "患者ID", "overlap": 60.0},
            "encounters": {"select": "SELECT * FROM V_VISIT"},
        },
    },
    serves=his,
    says=(
        "Encounter",
        "period_end",
        row("encounters", 就诊号="V1", 患者ID="1", 出院时间="2026-03-12 10:00"),
        row("encounters", 就诊号="V1", 患者ID="1", 出院时间=None),
        row("encounters", 就诊号="V1", 患者ID="1"),
    ),
    made_of=lambda payload: [rows.text(cell).encode() for cell in rows.read(payload).cells.values()],
    wrapping=b'[,"]|(?m:^.*(' + "|".join(sorted({one.partition(",")[0] for one in HEADINGS})).encode() + b"),.*$)",
    exempt={
        "A13": "Nothing repeats in a row.",
        "A14": "A row never lists all of something.",
        "A19": "A row is JSON; that a file says the same in every charset is tested in test_text.py.",
    },
)
